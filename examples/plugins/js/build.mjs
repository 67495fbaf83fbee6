// Builds `plugin.js` to a component. The features left out are those that would import a clock,
// randomness, files or the network, which no plugin gets.
import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const { component } = await componentize({
  sourcePath: 'plugin.js',
  witPath: 'wit/plugin.wit',
  worldName: 'plugin',
  disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
});
await writeFile('customer-number.wasm', component);
