// One half of the fixtures; the other half is fixtures-2.test.ts.
import { testEveryFixture } from './every-fixture.js';

testEveryFixture(0);
