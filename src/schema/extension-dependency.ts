// ALTER ... DEPENDS ON EXTENSION for the kinds that have it: indexes, materialized views, triggers, routines. The row that says so is
// pg_depend's type 'x', which belongs to this step and not to the definition.

import type { Section } from '../model/catalog.js';
import { quoteIdentifier } from '../pg/quote.js';
import type { Key, StepDraft } from './kind.js';

/** The key of the step that the 'x' edges of this object are charged to. */
export function extensionDependencyKey(object: Key): Key {
  return `${object}/depends-on-extension`;
}

/** One step for all the extensions an object depends on; none where it depends on none.
 *  @param ddl as in `ALTER <ddl>` */
export function extensionDependency(
  object: Key,
  { ddl, section, extensions }: { ddl: string; section: Section; extensions: readonly string[] },
): readonly StepDraft[] {
  if (extensions.length === 0) return [];
  return [
    {
      key: extensionDependencyKey(object),
      facet: 'definition',
      section,
      needs: [object],
      statements: () => extensions.map((extension) => `ALTER ${ddl} DEPENDS ON EXTENSION ${quoteIdentifier(extension)}`),
    },
  ];
}
