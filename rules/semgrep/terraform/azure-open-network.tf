resource "azurerm_network_security_rule" "ssh" {
  direction              = "Inbound"
  access                 = "Allow"
  destination_port_range = "22"
  # ruleid: terraform-azure-open-network
  source_address_prefix = "*"
}

resource "azurerm_storage_account" "files" {
  network_rules {
    # ruleid: terraform-azure-open-network
    default_action = "Allow"
  }
}

resource "azurerm_network_security_rule" "web" {
  direction              = "Inbound"
  access                 = "Allow"
  destination_port_range = "443"
  # ok: terraform-azure-open-network
  source_address_prefix = "*"
}

resource "azurerm_network_security_rule" "out" {
  direction              = "Outbound"
  access                 = "Allow"
  destination_port_range = "*"
  # ok: terraform-azure-open-network
  source_address_prefix = "*"
}
