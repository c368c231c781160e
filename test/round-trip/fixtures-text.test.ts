// Every fixture through an archive whose rows are text.
import { testEveryFixture } from './every-fixture.js';

testEveryFixture('text');
