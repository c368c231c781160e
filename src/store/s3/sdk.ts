// The client of S3: loaded only where a store is in S3, as the package is optional, and set up so that what is retried, how long is waited
// and which checksums are sent is decided here and not by a version of the package.
import { TidemarkError } from '../../model/errors.js';

/** Types alone: nothing is loaded by this. */
export type Sdk = typeof import('@aws-sdk/client-s3');
export type Client = import('@aws-sdk/client-s3').S3Client;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface ClientOptions {
  /** Default: what the environment and the profile say; with an endpoint and nothing said, us-east-1, which others than AWS ignore. */
  readonly region?: string;
  /** Of a server other than AWS: https://..., or http://... within a machine. */
  readonly endpoint?: string;
  /** `https://host/bucket/key` in place of `https://bucket.host/key`. Default: true with an endpoint. */
  readonly pathStyle?: boolean;
  /** Default: the chain of the AWS SDK (environment, profile, web identity, container, instance). */
  readonly credentials?: S3Credentials;
  /** A profile of the shared configuration files. */
  readonly profile?: string;
}

const sdkPackage = '@aws-sdk/client-s3';

/** @param load how; tests have it missing @throws TidemarkError PACKAGE_MISSING */
export async function loadSdk(load: () => Promise<Sdk> = () => import('@aws-sdk/client-s3')): Promise<Sdk> {
  try {
    return await load();
  } catch (error) {
    throw new TidemarkError('PACKAGE_MISSING', `open a store in S3: the package ${sdkPackage} cannot be loaded`, {
      hint: `npm install ${sdkPackage}@3`,
      details: { reason: (error as Error).message.split('\n')[0] },
      cause: error,
    });
  }
}

/** @param stallMs how long a connection may be silent @throws TidemarkError USAGE where no region is known */
export async function createClient(
  sdk: Sdk,
  { region, endpoint, pathStyle, credentials, profile }: ClientOptions,
  stallMs: number,
): Promise<Client> {
  const settings = {
    // Retried here, where it is known what a lost reply means.
    maxAttempts: 1,
    // SHA-256 is sent where it is asked for; CRC32 of everything, the SDK's default, is refused by some servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    followRegionRedirects: endpoint === undefined,
    forcePathStyle: pathStyle ?? endpoint !== undefined,
    requestHandler: { connectionTimeout: Math.min(stallMs, 10_000), socketTimeout: stallMs },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(profile === undefined ? {} : { profile }),
  } as const;
  let client = new sdk.S3Client({ ...settings, ...(region === undefined ? {} : { region }) });
  const known = await client.config.region().catch(() => undefined);
  if (known === undefined && endpoint === undefined) {
    throw new TidemarkError('USAGE', 'open a store in S3: the region is not known', {
      hint: 'add ?region=... to its URL, or set AWS_REGION',
    });
  }
  if (known === undefined) client = new sdk.S3Client({ ...settings, region: 'us-east-1' });
  signWithChecksum(client);
  return client;
}

/** A body whose SHA-256 is sent as its checksum needs no second one for the signature. */
function signWithChecksum(client: Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers?: Record<string, string> };
      const checksum = headers?.['x-amz-checksum-sha256'];
      // Of a completed upload it would be that of the parts, not of the request's body.
      if (headers && checksum && headers['content-type'] !== 'application/xml') {
        headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
      }
      return next(args);
    },
    { step: 'build', name: 'signWithChecksum' },
  );
}
