// A small S3 in memory, for tests where no real one is named: objects with metadata, ranges, pages of lists, uploads in parts, conditional
// writes, checksums. Signatures are not checked. Like R2 it takes parts of one size only; like AWS it refuses a wrong SHA-256.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Kept {
  readonly content: Buffer;
  readonly at: Date;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** As S3 has it: in base64, with the number of parts behind it. */
  readonly sha256?: string;
}

interface Upload {
  readonly name: string;
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, Kept>;
  readonly begun: Date;
}

export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly objects: Map<string, Kept>;
  readonly uploads: Map<string, Upload>;
  /** Makes it a server that does not know checksums, as some are. */
  refuseChecksums: boolean;
  /** Changes what it keeps, and what it says of that, as a broken one would. */
  damage: (content: Buffer) => Buffer;
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** @param pageSize entries of a list at a time */
export async function startFakeS3({ bucket = 'bucket', pageSize = 1000 } = {}): Promise<FakeS3> {
  const objects = new Map<string, Kept>();
  const uploads = new Map<string, Upload>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status, code } = error instanceof Refused ? error : { status: 500, code: 'InternalError' };
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>${code} in words</Message></Error>`);
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://host');
    const body = await bodyOf(request);
    const [, inBucket = '', ...rest] = url.pathname.split('/');
    if (inBucket !== bucket) throw new Refused(404, 'NoSuchBucket');
    const name = decodeURIComponent(rest.join('/'));
    const query = url.searchParams;
    const { method } = request;
    checkChecksums(request, body);
    if (name === '' && method === 'GET') return xml(response, query.has('uploads') ? listUploads(query) : list(query));
    const id = query.get('uploadId');
    if (method === 'POST' && query.has('uploads')) return xml(response, begin(name, request));
    if (method === 'POST' && id !== null) return xml(response, complete(request, name, id, body));
    if (method === 'PUT' && id !== null)
      return put(response, sendPart(id, Number(query.get('partNumber')), { body: fake.damage(body), request }));
    if (method === 'DELETE' && id !== null) return abort(response, id);
    if (method === 'PUT') {
      checkConditions(request, name);
      const one = keptOf(request, fake.damage(body), metadataOf(request));
      objects.set(name, one);
      return put(response, one);
    }
    if (method === 'DELETE') {
      objects.delete(name);
      response.writeHead(204).end();
      return;
    }
    return get(request, response, name);
  }

  function checkChecksums({ headers }: IncomingMessage, body: Buffer): void {
    const said = headers['x-amz-checksum-sha256'];
    const asked = said ?? headers['x-amz-checksum-algorithm'];
    if (asked !== undefined && fake.refuseChecksums) throw new Refused(501, 'NotImplemented');
    const hash = sha256(body);
    if (said !== undefined && hash.toString('base64') !== said) throw new Refused(400, 'BadDigest');
    const signed = headers['x-amz-content-sha256'];
    if (hash.toString('hex') !== signed) throw new Refused(400, 'XAmzContentSHA256Mismatch');
  }

  function checkConditions({ headers }: IncomingMessage, name: string): void {
    const found = objects.get(name);
    if (headers['if-none-match'] === '*' && found !== undefined) throw new Refused(412, 'PreconditionFailed');
    if (headers['if-match'] === undefined) return;
    if (found === undefined) throw new Refused(404, 'NoSuchKey');
    if (headers['if-match'] !== found.etag) throw new Refused(412, 'PreconditionFailed');
  }

  function get({ headers, method }: IncomingMessage, response: ServerResponse, name: string): void {
    const found = objects.get(name);
    if (found === undefined) throw new Refused(404, 'NoSuchKey');
    if (headers['if-match'] !== undefined && headers['if-match'] !== found.etag) throw new Refused(412, 'PreconditionFailed');
    const meta = Object.entries(found.metadata).map(([key, value]) => [`x-amz-meta-${key}`, value]);
    const sum = headers['x-amz-checksum-mode'] === 'ENABLED' && found.sha256 ? { 'x-amz-checksum-sha256': found.sha256 } : {};
    const about = {
      ...sum,
      etag: found.etag,
      'last-modified': found.at.toUTCString(),
      'accept-ranges': 'bytes',
      ...Object.fromEntries(meta),
    };
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    if (range === null) {
      response.writeHead(200, { ...about, 'content-length': found.content.length });
      response.end(method === 'HEAD' ? undefined : found.content);
      return;
    }
    const first = Number(range[1]);
    if (first >= found.content.length) throw new Refused(416, 'InvalidRange');
    const last = Math.min(range[2] === '' ? Number.MAX_SAFE_INTEGER : Number(range[2]), found.content.length - 1);
    const part = found.content.subarray(first, last + 1);
    response.writeHead(206, { ...about, 'content-length': part.length, 'content-range': `bytes ${first}-${last}/${found.content.length}` });
    response.end(part);
  }

  function list(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
    const page = names.slice(0, pageSize);
    const entries = page.map((name) => {
      const { content, etag, at } = objects.get(name) as Kept;
      return `<Contents><Key>${encodeURIComponent(name).replaceAll('%2F', '/')}</Key><LastModified>${at.toISOString()}</LastModified><Size>${content.length}</Size><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Contents>`;
    });
    const more = page.length < names.length;
    const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    return `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`;
  }

  function listUploads(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const entries = [...uploads.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .map(
        ({ name, id, begun }) =>
          `<Upload><Key>${escapeXml(name)}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
      );
    return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListMultipartUploadsResult>`;
  }

  function begin(name: string, request: IncomingMessage): string {
    const id = randomBytes(8).toString('hex');
    uploads.set(id, { name, id, metadata: metadataOf(request), parts: new Map(), begun: new Date() });
    return `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
  }

  function uploadOf(id: string): Upload {
    const upload = uploads.get(id);
    if (upload === undefined) throw new Refused(404, 'NoSuchUpload');
    return upload;
  }

  function sendPart(id: string, number: number, { body, request }: { readonly body: Buffer; readonly request: IncomingMessage }): Kept {
    const part = keptOf(request, body, {});
    uploadOf(id).parts.set(number, part);
    return part;
  }

  function complete(request: IncomingMessage, name: string, id: string, body: Buffer): string {
    const upload = uploadOf(id);
    const named = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, text = '']) => ({
      number: Number(/<PartNumber>(\d+)</.exec(text)?.[1]),
      etag: unescapeXml(/<ETag>(.*?)</.exec(text)?.[1] ?? ''),
    }));
    const parts = named.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      if (part?.etag !== etag) throw new Refused(400, 'InvalidPart');
      return part;
    });
    if (parts.length === 0 || named.some(({ number }, at) => at > 0 && number <= (named[at - 1]?.number ?? 0)))
      throw new Refused(400, 'InvalidPartOrder');
    if (parts.slice(0, -1).some(({ content }) => content.length !== parts[0]?.content.length)) throw new Refused(400, 'InvalidPart');
    checkConditions(request, name);
    uploads.delete(id);
    const sums = parts.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [Buffer.from(sha256, 'base64')]));
    const sha256 = `${createHash('sha256').update(Buffer.concat(sums)).digest('base64')}-${parts.length}`;
    const one = {
      content: Buffer.concat(parts.map(({ content }) => content)),
      metadata: upload.metadata,
      at: new Date(),
      ...(sums.length === parts.length ? { sha256 } : {}),
      etag: `"${randomBytes(16).toString('hex')}-${parts.length}"`,
    };
    objects.set(name, one);
    return `<CompleteMultipartUploadResult><Key>${escapeXml(name)}</Key><ETag>${escapeXml(one.etag)}</ETag></CompleteMultipartUploadResult>`;
  }

  function abort(response: ServerResponse, id: string): void {
    uploads.delete(uploadOf(id).id);
    response.writeHead(204).end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeS3 = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    refuseChecksums: false,
    damage: (content) => content,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** With a checksum where the request had one. */
function keptOf({ headers }: IncomingMessage, content: Buffer, metadata: Kept['metadata']): Kept {
  const hash = sha256(content);
  const checksum = headers['x-amz-checksum-sha256'] === undefined ? {} : { sha256: hash.toString('base64') };
  return { content, metadata, at: new Date(), etag: `"${hash.toString('hex', 0, 16)}"`, ...checksum };
}

/** Of each body once: the same processors send and receive. */
const hashes = new WeakMap<Buffer, Buffer>();

function sha256(content: Buffer): Buffer {
  const hash = hashes.get(content) ?? createHash('sha256').update(content).digest();
  hashes.set(content, hash);
  return hash;
}

function metadataOf({ headers }: IncomingMessage): Record<string, string> {
  const found = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(found.map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)]));
}

function put(response: ServerResponse, { etag }: Kept): void {
  response.writeHead(200, { etag }).end();
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (one) => entities[one] ?? one);
}

function unescapeXml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#34;', '"').replaceAll('&amp;', '&');
}
