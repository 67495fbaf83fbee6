# METADATA
# title: Who reads while everything is locked
# description: |
#   Reads `people.yaml`. Other packages name these rules in full (`data.access.named`): a package that
#   is imported by name is evaluated as a whole.
package access

import rego.v1

# The person is named, and the time is not over. A text is greater than every number, so a time that
# is no number must not be compared.
named if {
	until := data.people[input.principal.on_behalf_of].until
	is_number(until)
	input.now.unix < until
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
