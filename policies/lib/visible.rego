# METADATA
# title: Which tools may the principal see?
# description: Those that a rule shows and none hides, out of those on offer.
package portcullis.visible

import rego.v1

shown contains tool.name if {
	some tool in input.tools
	tool.name in data.portcullis.rules.visible.show
	not tool.name in hidden
}

offered contains tool.name if {
	some tool in input.tools
}

hidden := {name | some name in data.portcullis.rules.visible.hide}

# METADATA
# title: The tools on offer
answer := {
	"tools": shown,
	"reasons": [{
		"rule": "tools_shown",
		"text": sprintf("%d of %d tools are shown to this principal", [count(shown), count(offered)]),
	}],
}
