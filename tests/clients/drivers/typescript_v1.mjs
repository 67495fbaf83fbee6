// TypeScript SDK v1, `@modelcontextprotocol/sdk`: what most agents in the field are built on today.
// Legacy revisions only: `initialize` and a session, over Streamable HTTP.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { authorization, play, script } from './play.mjs';

await play(async () => {
  const client = new Client({ name: 'portcullis-clients-ts-v1', version: '1.0.0' });
  const headers = { Authorization: authorization };
  const transport = new StreamableHTTPClientTransport(new URL(script.url), { requestInit: { headers } });
  await client.connect(transport);
  return { client, revision: transport.protocolVersion };
});
