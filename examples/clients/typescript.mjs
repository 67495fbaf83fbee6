// An agent's tools through Portcullis, with the official TypeScript SDK (v2).
//
//   npm install @modelcontextprotocol/client@2.4.0
//   PORTCULLIS_KEY=... node typescript.mjs 215470000000101
//
// PORTCULLIS_URL is where Portcullis listens for agents; the key comes from `portcullis principals add NAME`.
// Nothing here knows Intercom's token: Portcullis keeps it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const url = new URL(process.env.PORTCULLIS_URL ?? 'http://127.0.0.1:8787/mcp');
const key = process.env.PORTCULLIS_KEY;
const conversation = process.argv[2];
if (!key || !conversation) {
  console.error('usage: PORTCULLIS_KEY=... node typescript.mjs CONVERSATION_ID');
  process.exit(2);
}

// `auto` tries the stateless revision 2026-07-28 first, in which a held call is repeated by the SDK
// itself until a person has decided; without it the SDK speaks the older revisions only.
const client = new Client(
  { name: 'portcullis-example', version: '1.0.0' },
  { versionNegotiation: { mode: 'auto' } },
);
await client.connect(
  new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { Authorization: `Bearer ${key}` } },
  }),
);

// The list is already cut to what this key's roles may see.
const { tools } = await client.listTools();
console.log('tools:', tools.map((tool) => tool.name).join(', '));

// A refusal is an ordinary result with `isError` and a text for the model: the rule and its reason.
const result = await client.callTool({
  name: 'get_conversation',
  arguments: { id: conversation },
});
console.log(result.isError ? 'refused or failed:' : 'conversation:');
for (const part of result.content) {
  if (part.type === 'text') console.log(part.text);
}

await client.close();
