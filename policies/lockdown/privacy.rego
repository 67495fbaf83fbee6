# METADATA
# title: What judges see in answers is not shown as it is
# description: |
#   Plugins find spans and give them a kind (`email`, `person`, `secret`), `privacy.yaml` says what is done to
#   which. The strictest rule that is about a span wins.
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Secrets are masked
# description: For everybody, and wherever they stand.
oblige contains {
	"rule": "secrets_masked",
	"text": "secrets, passwords and card numbers are masked",
	"redact": {"kinds": data.privacy.secrets, "how": "mask"},
} if {
	input.answer.kind
}

# METADATA
# title: Personal data is not shown
oblige contains {
	"rule": "personal_data",
	"text": "personal data is not shown as it is",
	"redact": {
		"kinds": data.privacy.personal,
		"parties": data.privacy.parties,
		"least": data.privacy.least,
		"how": data.privacy.how,
	},
} if {
	input.answer.kind
	not of_public_tool
}

# METADATA
# title: Customers in public texts
# description: What is public anyway may name people, but not tell of a known customer.
oblige contains {
	"rule": "customers_in_public",
	"text": "personal data of customers is not shown as it is",
	"redact": {
		"kinds": data.privacy.personal,
		"parties": ["customer"],
		"least": data.privacy.least,
		"how": data.privacy.how,
	},
} if {
	of_public_tool
}

of_public_tool if {
	input.tool.name in data.privacy.public_tools
}
