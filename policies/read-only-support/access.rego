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

# Whether a role of the principal shows internal notes.
internal_notes if {
	some role in input.principal.roles
	data.roles[role].internal_notes == true
}

# The principal's own team; undefined, and so no team at all, if the attribute is missing or empty.
team := input.principal.attributes.team if {
	input.principal.attributes.team != ""
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
