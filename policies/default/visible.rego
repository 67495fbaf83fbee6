# METADATA
# title: A principal sees the tools of its roles
package portcullis.rules.visible

import rego.v1

import data.access

show contains tool if {
	some tool in access.tools
}

hide contains tool.name if {
	some tool in input.tools
	not tool.pinned
}
