// TypeScript SDK v2, `@modelcontextprotocol/client`, in the era that the script names: `legacy` is its
// default; `modern` pins 2026-07-28, where a held call travels as `input_required` rounds, which the
// client repeats by itself.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { authorization, play, script } from './play.mjs';

const MODE = { legacy: 'legacy', auto: 'auto', modern: { pin: '2026-07-28' } };

await play(async () => {
  const client = new Client(
    { name: 'portcullis-clients-ts-v2', version: '1.0.0' },
    { versionNegotiation: { mode: MODE[script.era] } },
  );
  const headers = { Authorization: authorization };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(script.url), { requestInit: { headers } }),
  );
  return { client, revision: client.getNegotiatedProtocolVersion() };
});
