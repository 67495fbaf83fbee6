// Finds the numbers by which a company knows its customers, such as `KD-4711-0815`.
//
// A plugin is asked about the texts of a call, of an answer or of a tool's definition, and says what
// it sees: spans with a kind. Policy decides what that means, and Portcullis alone edits.

const CONFIG_SCHEMA = {
  type: 'object',
  properties: { prefix: { type: 'string', pattern: '^[A-Z]{2}$' } },
  additionalProperties: false,
};

// Between the prefix and the end: two groups of four digits. A longer run of letters or digits is
// something else.
const NUMBER = /(?<![0-9A-Za-z])([A-Z]{2})-([0-9]{4})-?([0-9]{4})(?![0-9A-Za-z])/g;

export const inspector = {
  describe() {
    return {
      name: 'customer-number',
      version: '0.1.0',
      summary: 'The numbers by which the company knows its customers',
      kinds: ['customer_number'],
      labels: [],
      phases: ['call', 'answer'],
      tools: [],
      configSchema: JSON.stringify(CONFIG_SCHEMA),
    };
  },

  inspect(document, config) {
    const { prefix = 'KD' } = JSON.parse(config || '{}');
    const findings = [];
    document.leaves.forEach((leaf, number) => {
      for (const match of leaf.text.matchAll(NUMBER)) {
        if (match[1] === prefix) findings.push(finding(number, leaf, match));
      }
    });
    return { findings, labels: [] };
  },
};

function finding(number, leaf, match) {
  // Places are counted in bytes of UTF-8, JavaScript counts in units of UTF-16.
  const start = new TextEncoder().encode(leaf.text.slice(0, match.index)).length;
  const plain = `${match[1]}-${match[2]}-${match[3]}`;
  return {
    leaf: number,
    start,
    end: start + match[0].length,
    kind: 'customer_number',
    confidence: 95,
    reason: 'shape',
    // The number as the company writes it, if it is written in another way here.
    value: plain === match[0] ? undefined : plain,
    party: 'customer',
  };
}
