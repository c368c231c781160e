// ALTER ... OWNER TO, straight after an object's definition. Which objects have an owner of their own is for the kinds to say: an
// index's is its table's, so its draft has none.
import { quoteIdentifier } from '../../pg/quote.js';
import type { FacetReader, ObjectDraft, StepDraft } from '../kind.js';

function step({ key, ddl, steps }: ObjectDraft, owner: string): StepDraft {
  return {
    key: `${key}/owner`,
    facet: 'owner',
    section: steps[0]?.section ?? 'pre-data',
    needs: [key],
    statements: () => [`ALTER ${ddl} OWNER TO ${quoteIdentifier(owner)}`],
    roles: [owner],
  };
}

export const owner: FacetReader = {
  name: 'owner',
  read({ objects }) {
    const drafts = [...new Set(objects.values())];
    const steps = drafts.flatMap((draft) => (draft.owner === undefined ? [] : [{ object: draft.key, step: step(draft, draft.owner) }]));
    return Promise.resolve({ steps, objects: [] });
  },
};
