// The version of tidemark itself, as manifests and `--version` state it. A test holds it equal to package.json.
export const toolVersion = '0.1.0';
