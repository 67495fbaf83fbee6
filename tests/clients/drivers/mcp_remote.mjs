// `mcp-remote`: the bridge that gives hosts which only know stdio a remote server. It is started as
// such a host would start it, and driven over its stdio by the TypeScript SDK v1.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { authorization, play, script } from './play.mjs';

const manifest = createRequire(import.meta.url).resolve('mcp-remote/package.json');
const program = join(dirname(manifest), 'dist', 'proxy.js');

await play(async () => {
  const client = new Client({ name: 'portcullis-clients-mcp-remote', version: '1.0.0' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [program, script.url, '--transport', 'http-only', '--header', `Authorization: ${authorization}`],
      env: process.env, // Carries HOME and MCP_REMOTE_CONFIG_DIR, which the runner points into its temporary folder.
      stderr: 'inherit',
    }),
  );
  return { client };
});
