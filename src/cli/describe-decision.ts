// What the rules say of the next snapshot, a line a rule.
import type { Status } from '../app/schedule/observe-status.js';
import { formatDuration } from '../model/units.js';

/** What each rule says and how far its mark is, then the rules that could not be judged. */
export function describeVerdicts({ decision, notJudged = [], at }: Status): string[] {
  const verdicts = decision?.verdicts ?? [];
  return [
    ...verdicts.map(({ reason, due, next }) => {
      const away = !due && next?.by === 'time' ? `, in ${formatDuration(next.at.getTime() - at.getTime())}` : '';
      return `${reason}${away}`;
    }),
    ...notJudged.map((reason) => `not judged: ${reason}`),
  ];
}
