// One half of the fixtures; the other half is fixtures-each-2.test.ts.
import { testEachFixture } from './fixtures-each.js';

testEachFixture(0);
