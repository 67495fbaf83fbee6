# METADATA
# title: Articles only; new ones are drafts, a change waits for one person, a change in public for two
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Reads by role
# description: Also Portcullis' own look at the article that a call would change.
allow contains {"rule": "read_by_role", "text": "a role of this principal reads with this tool"} if {
	input.tool.effect == "read"
	input.tool.name in data.access.tools
}

# METADATA
# title: New articles
allow contains {"rule": "create_draft", "text": "a role of this principal creates drafts"} if {
	input.tool.name == "create_article"
	input.tool.name in data.access.tools
}

# METADATA
# title: New articles are drafts
oblige contains {
	"rule": "drafts_only",
	"text": "a new article is a draft; ask for its publication with update_article",
	"set": {"argument": "state", "value": "draft"},
} if {
	input.tool.name == "create_article"
}

# METADATA
# title: A change of a draft waits for one person
# custom:
#   agent_hint: Wait for the outcome, or go on with work that does not need this change
hold contains {
	"rule": "draft_waits",
	"text": "a person must release the change of a draft",
	"release": data.releases.draft,
} if {
	input.tool.name == "update_article"
	stays_draft
}

# METADATA
# title: A change in public waits for two people
# custom:
#   agent_hint: Wait for the outcome, or go on with work that does not need this change
hold contains {
	"rule": "public_waits",
	"text": "two people must release a change that customers will see",
	"release": data.releases.public,
} if {
	input.tool.name == "update_article"
	not stays_draft
}

# METADATA
# title: Only what can be looked at is changed
# custom:
#   agent_hint: Read the article with get_article first; if that works, tell the operators
deny contains {"rule": "target_unknown", "text": "it is not known what this call would change"} if {
	input.tool.name == "update_article"
	not target_known
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

target_known if {
	input.target.type == "article"
	input.target.state in {"draft", "published"}
}

# Without `state` the article keeps the one that it has.
stays_draft if {
	input.target.state == "draft"
	object.get(input.arguments, "state", "draft") == "draft"
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
