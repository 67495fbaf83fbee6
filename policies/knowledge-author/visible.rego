# METADATA
# title: A principal sees the tools of its roles
package portcullis.rules.visible

import rego.v1

show contains tool.name if {
	some tool in input.tools
	tool.name in data.access.tools
	tool.pinned
}
