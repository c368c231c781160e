// The register of facets: what is done to objects of every kind. Their steps follow an object's own in this order.
import type { FacetReader } from '../kind.js';
import { sequenceValues } from './sequence-values.js';

export const facets: readonly FacetReader[] = [sequenceValues];
