# METADATA
# title: Where pseudonyms are turned back
# description: |
#   An agent sees `[[email:7f3a9c]]` for a value and may work with it. Reads `pseudonyms.json`. What no
#   rule here covers never reaches Intercom: in articles, tags and links nothing is turned back.
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
# title: Notes by pseudonym
# description: Only for the kinds that a note may need; never cards, passwords or numbers of the state.
oblige contains {
	"rule": "note_by_pseudonym",
	"text": "pseudonyms are turned back in notes",
	"restore": {"kinds": data.pseudonyms.notes.kinds, "arguments": ["body"]},
} if {
	input.tool.name == "add_internal_note"
	count(input.pseudonyms) > 0
}

# METADATA
# title: No data of one person in a text about another
# description: |
#   What is written about somebody may hold their own values, and what the same conversation, contact or
#   company showed already.
# custom:
#   agent_hint: Leave the pseudonym out, or read the object that you write about if it shows the value
deny contains {
	"rule": "data_of_another",
	"text": sprintf("%s was not shown by what this text is written about, so it may be somebody else's", [one.token]),
} if {
	input.tool.effect == "write"
	some one in input.pseudonyms
	one.elsewhere
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
