# METADATA
# title: What the roles of the principal give
# description: |
#   Reads `roles.json`. A role has `title`, `tools`, and optionally `methods` (methods of the protocol
#   beyond the harmless ones, such as `resources/read`) and `questions` (what Intercom may ask of the
#   agent: methods such as `elicitation/create`, or `input_required`). Other packages name these
#   rules in full (`data.access.tools`): a package that is imported by name is evaluated as a whole.
package access

import rego.v1

tools contains tool if {
	some role in input.principal.roles
	some tool in data.roles[role].tools
}

# Portcullis looks at what a held call would change, so that nobody releases it for what is another by then,
# and whether a new article is there already.
tools contains tool if {
	input.principal.kind == "portcullis"
	some tool in {"get_article", "get_conversation", "search_articles"}
}

methods contains method if {
	some role in input.principal.roles
	some method in data.roles[role].methods
}

questions contains question if {
	some role in input.principal.roles
	some question in data.roles[role].questions
}

# Methods that show or change nothing at Intercom by themselves.
harmless := {
	"initialize",
	"ping",
	"logging/setLevel",
	"notifications/cancelled",
	"notifications/initialized",
	"notifications/progress",
	"notifications/roots/list_changed",
	"server/discover",
	"session/end",
	"session/listen",
	"subscriptions/listen",
	"tools/list",
}

# What Portcullis does for its own connection to Intercom.
housekeeping := {
	"initialize",
	"notifications/initialized",
	"server/discover",
	"session/end",
	"session/listen",
	"tools/list",
}

known if {
	some role in input.principal.roles
	data.roles[role]
}

# Who may release a call of this tool.
release(tool) := data.releases.tools[tool] if {
	data.releases.tools[tool]
} else := data.releases.any
