# METADATA
# title: Where pseudonyms are turned back
# description: |
#   An agent sees `[[email:7f3a9c]]` for a value and searches by it. Reads `pseudonyms.yaml`. What no rule
#   here covers never reaches Intercom.
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Searches by pseudonym
oblige contains {
	"rule": "search_by_pseudonym",
	"text": "pseudonyms are turned back in searches",
	"restore": data.pseudonyms.searches,
} if {
	input.tool.effect == "read"
	count(input.pseudonyms) > 0
}

# METADATA
# title: No guessing who is a customer
# description: |
#   A search by a value that is no pseudonym tells whether there is somebody with it. Some are in order, for
#   an agent may know a value from elsewhere; many are a search of the whole customer base.
# custom:
#   agent_hint: Search by the pseudonyms that you were shown, or by words
deny contains {
	"rule": "guessing",
	"text": sprintf("more than %d personal values were searched for within a day", [data.pseudonyms.guesses_a_day]),
} if {
	input.tool.effect == "read"
	count(input.findings) > 0
	input.trail.day.probes > data.pseudonyms.guesses_a_day
}
