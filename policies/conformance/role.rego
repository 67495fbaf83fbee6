# METADATA
# title: The one role of this bundle
# description: For the fixture of the official MCP test suite. Never for Intercom.
package role

import rego.v1

conformance if {
	some role in input.principal.roles
	role == "conformance"
}
