# METADATA
# title: Reads by role, of the own team where it is about conversations; no writes
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Reads by role
allow contains {"rule": "read_by_role", "text": "a role of this principal reads with this tool"} if {
	input.tool.effect == "read"
	input.tool.name in data.access.tools
}

# METADATA
# title: Tools by role
# custom:
#   agent_hint: Use one of the tools in the list of tools, or say that you need another role
deny contains {
	"rule": "tool_outside_roles",
	"text": sprintf("no role of this principal uses the tool %s", [input.tool.name]),
} if {
	not input.tool.name in data.access.tools
}

# METADATA
# title: Only tools whose definition is reviewed
# custom:
#   agent_hint: Use another tool; the operators must review this one first
deny contains {
	"rule": "tool_not_pinned",
	"text": sprintf("the definition of the tool %s is not the pinned one", [input.tool.name]),
} if {
	not input.tool.pinned
}

# METADATA
# title: No writes
# custom:
#   agent_hint: Say what should be changed and leave it to a person
deny contains {"rule": "read_only", "text": "this profile only reads"} if {
	input.tool.effect != "read"
}

# METADATA
# title: Conversations of the own team
# custom:
#   agent_hint: Ask the operators to set the team of this principal; contacts, companies and articles need none
deny contains {
	"rule": "no_team",
	"text": "this principal has no team, and conversations are for the own team only",
} if {
	about_conversations
	not data.access.team
}

# METADATA
# title: Conversations of the own team
oblige contains {
	"rule": "own_team",
	"text": "only conversations of your own team are found",
	"filter": {"field": "team_assignee_id", "operator": "eq", "values": [data.access.team]},
} if {
	input.search.object == "conversations"
}

# METADATA
# title: Small pages
oblige contains {
	"rule": "small_pages",
	"text": sprintf("a page has at most %d entries", [data.limits.rows]),
	"cap": {"argument": "per_page", "most": data.limits.rows},
} if {
	input.search.object
}

about_conversations if {
	input.tool.name in {"search_conversations", "get_conversation"}
}

# A query of `search` that cannot be read could be about conversations, too.
about_conversations if {
	input.tool.name == "search"
	not about_others
}

about_others if {
	input.search.object in {"contacts", "companies", "articles"}
}

# METADATA
# title: Methods that change nothing
allow contains {"rule": "harmless_method", "text": "this method changes nothing at Intercom"} if {
	input.subject.kind == "method"
	input.method in data.access.harmless
	data.access.known
}

# METADATA
# title: Own tasks
# description: "A task was given to this principal alone: its id is sealed for it."
allow contains {"rule": "own_task", "text": "this principal follows a task that it was given"} if {
	input.subject.kind == "task"
	input.method in {"tasks/get", "tasks/cancel"}
	data.access.known
}

# METADATA
# title: Portcullis' own connection
allow contains {"rule": "housekeeping", "text": "Portcullis keeps its own connection to Intercom"} if {
	input.principal.kind == "portcullis"
	input.subject.kind == "method"
	input.method in data.access.housekeeping
}

# METADATA
# title: Portcullis' own refusals
allow contains {"rule": "refused_question", "text": "Portcullis refuses a question of Intercom"} if {
	input.principal.kind == "portcullis"
	input.subject.kind == "answer"
}
