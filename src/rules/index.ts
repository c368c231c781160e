// tidemark/rules: when a snapshot is due, and which to keep. Pure, without I/O and without a clock of its own: positions come in,
// decisions with their reasons come out.
export type { Position } from '../model/position.js';
export { type Drilled, drillDue } from './drill.js';
export { type Decision, due, type Last, type Now } from './due.js';
export { heightBucket } from './height.js';
export type { Mark, Verdict } from './judge.js';
export { newestFirst, type Ordered } from './order.js';
export { type Overdue, overdue, type Sighting } from './overdue.js';
export { type Count, checkPolicy, type RetentionPolicy } from './policy.js';
export { type Preset, presets } from './presets.js';
export { type Candidate, type Kept, type Retention, retain } from './retain.js';
export {
  type ChangesRule,
  type CommitsRule,
  type CronRule,
  checkSchedule,
  describeRule,
  type HeightRule,
  type Rule,
  type Schedule,
  type StreamRule,
  type TimeRule,
  type WalRule,
} from './rule.js';
export { type DatabaseState, decideStart, type Start, type StartFacts, type Streams } from './start.js';
