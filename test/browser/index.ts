// A headless Chromium for tests of pages. It comes out of a package, with its fonts and libraries, so that it is the same everywhere and
// needs neither network nor anything installed; TIDEMARK_TEST_CHROMIUM names another one, as on machines that are no x64 Linux.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';

export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts a browser; disposing of it ends it and removes its files. */
export async function openBrowser(): Promise<TestBrowser> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-chromium-'));
  try {
    const { executablePath, env } = await unpack(directory);
    const browser = await puppeteer.launch({
      executablePath,
      headless: 'shell',
      pipe: true, // when this process is killed, its end closes, and Chromium ends with it
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
      userDataDir: join(directory, 'profile'),
      env: { ...process.env, ...env, HOME: directory },
    });
    return {
      browser,
      async [Symbol.asyncDispose]() {
        await browser.close();
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

interface Unpacked {
  readonly executablePath: string;
  readonly env: Readonly<Record<string, string>>;
}

async function unpack(directory: string): Promise<Unpacked> {
  const given = process.env.TIDEMARK_TEST_CHROMIUM;
  if (given !== undefined) return { executablePath: given, env: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`start Chromium on ${process.platform} ${process.arch}: the packaged one is for x64 Linux; set TIDEMARK_TEST_CHROMIUM`);
  }
  // The package unpacks to os.tmpdir(), and its libraries only where it believes to be at Amazon; it sets LD_LIBRARY_PATH for the whole
  // process then.
  const before = { ...process.env };
  try {
    Object.assign(process.env, { TMPDIR: directory, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' });
    const { default: chromium } = await import('@sparticuz/chromium');
    chromium.setGraphicsMode = false;
    const executablePath = await chromium.executablePath();
    await writeFile(join(directory, 'fonts', 'fonts.conf'), fontsConf(directory));
    return { executablePath, env: { LD_LIBRARY_PATH: join(directory, 'al2023', 'lib'), FONTCONFIG_PATH: join(directory, 'fonts') } };
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

function fontsConf(directory: string): string {
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(directory, 'fonts')}</dir><cachedir>${join(directory, 'fonts-cache')}</cachedir></fontconfig>`;
}
