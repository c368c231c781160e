// Every fixture through an archive whose rows are binary. Some have columns that cannot be, and are refused with a reason.
import { testEveryFixture } from './every-fixture.js';

testEveryFixture('binary', { unfit: ['inheritance.sql', 'loops.sql', 'table.sql', 'composites.sql', 'extensions.sql', 'others.sql'] });
