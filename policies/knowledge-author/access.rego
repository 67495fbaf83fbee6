# METADATA
# title: What the roles of the principal give
# description: |
#   Reads `roles.yaml`. Other packages name these rules in full (`data.access.tools`): a package that
#   is imported by name is evaluated as a whole.
package access

import rego.v1

tools contains tool if {
	some role in input.principal.roles
	some tool in data.roles[role].tools
}

known if {
	some role in input.principal.roles
	data.roles[role]
}

# Portcullis looks at an article before a change of it is judged, and whether a new one is there already.
tools contains tool if {
	input.principal.kind == "portcullis"
	some tool in {"get_article", "search_articles"}
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
