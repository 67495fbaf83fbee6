# METADATA
# title: Articles are read, everything else is only counted, by nothing that points at a person
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Articles by role
allow contains {"rule": "articles_by_role", "text": "a role of this principal reads articles with this tool"} if {
	input.tool.effect == "read"
	input.tool.name in data.access.tools
	input.tool.name in data.access.article_tools
}

# METADATA
# title: Counts by role
allow contains {"rule": "counts_by_role", "text": "a role of this principal counts with this tool"} if {
	input.tool.effect == "read"
	input.tool.name in data.access.tools
	data.countable[input.search.object]
	input.search.filters
}

# METADATA
# title: Counts, not records
oblige contains {
	"rule": "counts_only",
	"text": "one entry is asked for, and it is withheld: the number of pages is the count",
	"cap": {"argument": "per_page", "most": 1},
} if {
	data.countable[input.search.object]
}

# METADATA
# title: Nobody is looked for
# custom:
#   agent_hint: Count conversations by state, team or source; leave out names, ids and words
deny contains {
	"rule": "points_at_a_person",
	"text": sprintf("%s are not counted by `%s`, which could point at a person", [input.search.object, filter.field]),
} if {
	countable := data.countable[input.search.object]
	countable
	some filter in input.search.filters
	not filter.field in countable
}

# METADATA
# title: No words are looked for
# custom:
#   agent_hint: Leave the words out, and count conversations by state, team or source
deny contains {"rule": "free_text", "text": "a count by free text could point at a person"} if {
	data.countable[input.search.object]
	is_string(input.search.text)
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
