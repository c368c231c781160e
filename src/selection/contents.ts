// All that the options of a snapshot or a restore say of what is in, one after the other: objects, sections, rows. Both use cases cut
// their catalog with this one function. Pure.
import type { Catalog, Section } from '../model/catalog.js';
import type { LeftOut } from '../model/manifest.js';
import type { Pattern } from './pattern.js';
import { excludeRows, loadViaRoots } from './rows.js';
import { cutSections } from './sections.js';
import { type Selection, selectSteps } from './select.js';

export interface Contents extends Selection {
  readonly excludeTableData: readonly Pattern[];
  readonly sections: ReadonlySet<Section>;
  readonly loadViaPartitionRoot: boolean;
}

/** @returns the smaller catalog, and what could not come along although it was chosen
 *  @throws TidemarkError PATTERN_UNMATCHED */
export function selectContents(whole: Catalog, contents: Contents): { readonly catalog: Catalog; readonly leftOut: readonly LeftOut[] } {
  const { catalog, leftOut } = selectSteps(whole, contents);
  const rows = excludeRows(catalog, contents.excludeTableData);
  const loaded = contents.loadViaPartitionRoot ? loadViaRoots(rows) : rows;
  return { catalog: cutSections(loaded, contents.sections), leftOut };
}
