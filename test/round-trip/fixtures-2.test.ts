// One half of the fixtures; the other half is fixtures-1.test.ts.
import { testEveryFixture } from './every-fixture.js';

testEveryFixture(1);
