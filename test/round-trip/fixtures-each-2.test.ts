// One half of the fixtures; the other half is fixtures-each-1.test.ts.
import { testEachFixture } from './fixtures-each.js';

testEachFixture(1);
