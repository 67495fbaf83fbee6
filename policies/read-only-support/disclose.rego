# METADATA
# title: Answers for those who may ask, without internal notes and without conversations of other teams
package portcullis.rules.disclose

import rego.v1

# METADATA
# title: Answers for those who may ask
allow contains {"rule": "answer_by_role", "text": "this principal has a role here"} if {
	input.answer.kind in {"result", "tool_error", "error", "list", "notification", "text"}
	data.access.known
}

# METADATA
# title: A budget of contacts
# custom:
#   agent_hint: Go on with what you have seen already, or wait until tomorrow
deny contains {
	"rule": "contacts_a_day",
	"text": sprintf("this principal would see more than %d different contacts within a day", [data.limits.contacts_a_day]),
} if {
	input.answer.kind
	not input.answer.kind in {"list", "error"}
	not within_budget
}

# METADATA
# title: Conversations of the own team
# custom:
#   agent_hint: Search with search_conversations and read with get_conversation; prose does not say the team
oblige contains {
	"rule": "other_team",
	"text": "conversations are for the team that they are assigned to",
	"drop": {"record": record.ref},
} if {
	some record in input.answer.records
	record.type == "conversation"
	not own(record)
}

# METADATA
# title: Internal notes by role
oblige contains {
	"rule": "internal_notes",
	"text": "internal notes are for teammates with the role for it",
	"drop": {"record": record.ref},
} if {
	not data.access.internal_notes
	some record in input.answer.records
	may_be_note(record)
}

# METADATA
# title: Few rows
oblige contains {
	"rule": "few_rows",
	"text": sprintf("an answer has at most %d rows", [data.limits.rows]),
	"rows": {"most": data.limits.rows},
} if {
	input.answer.kind == "result"
}

within_budget if {
	input.trail.day.contacts <= data.limits.contacts_a_day
}

# Prose (`search`, `fetch`) has no team, and may quote notes.
own(record) if {
	record.partial == false
	record.team == data.access.team
}

may_be_note(record) if {
	record.type == "note"
}

# A message that does not say what it is.
may_be_note(record) if {
	record.type == "part"
	record.partial
}
