# METADATA
# title: Articles and counts; no personal data
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: What was asked for
allow contains {"rule": "result_by_role", "text": "this principal has a role here"} if {
	input.answer.kind in {"result", "list"}
	data.access.known
}

# METADATA
# title: Errors about articles and methods
# description: An error about anything else could quote a person.
allow contains {"rule": "error_by_role", "text": "an error of a call that is not about people"} if {
	input.answer.kind in {"error", "tool_error"}
	not_about_people
	data.access.known
}

# METADATA
# title: No personal data
oblige contains {
	"rule": "no_personal_data",
	"text": "this principal sees no personal data, only articles and counts",
	"drop": {"record": record.ref},
} if {
	some record in input.answer.records
	record.type != "article"
}

# METADATA
# title: No person in an article's answer
# description: Articles do not name contacts, companies or conversations; an answer that does is something else.
deny contains {"rule": "person_in_article", "text": "this answer names customers, which an article does not"} if {
	input.tool.name in data.access.article_tools
	not names_nobody
}

# METADATA
# title: Only what is understood
deny contains {"rule": "not_understood", "text": "it cannot be said whether this answer shows personal data"} if {
	input.tool.name
	input.answer.kind == "result"
	not input.answer.understood
}

names_nobody if {
	input.answer.counts.contacts == 0
	input.answer.counts.companies == 0
	input.answer.counts.conversations == 0
	input.answer.counts.notes == 0
	input.answer.counts.parts == 0
}

not_about_people if {
	input.tool.name in data.access.article_tools
}

not_about_people if {
	input.subject.kind == "method"
}
