// Says what a selection could not take along, and why: one line an object, or a step of an object that is otherwise in.
import type { Catalog, CatalogObject, Step } from '../model/catalog.js';
import type { LeftOut } from '../model/manifest.js';
import { type Block, definitions, type Reach, type Standing } from './reach.js';

/** What of the objects that were reached does not come along. Sub-objects of something left out go without saying. */
export function leftOutOf(catalog: Catalog, { objects, blocked }: Reach, standing: readonly Standing[]): readonly LeftOut[] {
  const made = definitions(catalog);
  const isOut = (object: CatalogObject): boolean => {
    const definition = made[object.id];
    if (definition !== undefined && blocked.has(definition)) return true;
    const parent = object.parent === undefined || object.kind === 'sequence' ? undefined : catalog.objects[object.parent];
    return parent !== undefined && isOut(parent);
  };
  const stepsOf = catalog.objects.map((): Step[] => []);
  for (const step of blocked.keys()) stepsOf[step.object]?.push(step);
  return catalog.objects.flatMap((object): LeftOut[] => {
    const parent = object.parent === undefined ? undefined : catalog.objects[object.parent];
    const goesWithoutSaying = !objects.has(object.id) || (parent !== undefined && object.kind !== 'sequence' && isOut(parent));
    if (goesWithoutSaying) return [];
    const definition = made[object.id];
    const whole = definition !== undefined && blocked.has(definition);
    const steps = whole ? [definition] : (stepsOf[object.id] ?? []).sort((a, b) => a.id - b.id);
    return steps.map((step) => {
      const reason = `it needs ${cause(catalog, step, { blocked, standing })}`;
      const [statement] = step.statements;
      const what = whole || statement === undefined ? '' : `${shorten(statement)}: `;
      return { kind: object.kind, name: displayName(object), reason: `${what}${reason}` };
    });
  });
}

interface Why {
  readonly blocked: ReadonlyMap<Step, Block>;
  readonly standing: readonly Standing[];
}

/** The object that is missing, and how it came to be. */
function cause(catalog: Catalog, step: Step, { blocked, standing }: Why): string {
  // What its own definition lacks, where that is what it lacks.
  let block = blocked.get(step);
  while (block != null && block.object === step.object) block = blocked.get(block);
  const needed = block == null ? undefined : catalog.objects[block.object];
  if (needed === undefined) return 'an object that is not there';
  const status = standing[needed.id];
  if (status === 'chosen' || status === 'pullable') return `${needed.kind} ${displayName(needed)}, which is left out itself`;
  const parent = needed.parent === undefined || needed.kind === 'sequence' ? undefined : catalog.objects[needed.parent];
  const missing = parent ?? needed;
  return `${missing.kind} ${displayName(missing)}, which is ${status === 'excluded' ? 'excluded' : 'not selected'}`;
}

function displayName({ schema, name }: CatalogObject): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

function shorten(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
