// Passes on options that were given, and leaves out those that were not, so that defaults are said in one place: the use case.

/** `{ [name]: value }`, or nothing where the option was not given. */
export function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}
