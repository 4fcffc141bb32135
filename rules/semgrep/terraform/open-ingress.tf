resource "aws_security_group" "web" {
  ingress {
    from_port = 22
    to_port   = 22
    # ruleid: terraform-open-ingress
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    from_port = 443
    to_port   = 443
    # ok: terraform-open-ingress
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port = 0
    to_port   = 0
    # ok: terraform-open-ingress
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "database" {
  type      = "ingress"
  from_port = 5432
  to_port   = 5432
  # ruleid: terraform-open-ingress
  cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]
}

resource "aws_security_group_rule" "out" {
  type      = "egress"
  from_port = 0
  to_port   = 0
  # ok: terraform-open-ingress
  cidr_blocks = ["0.0.0.0/0"]
}

resource "aws_vpc_security_group_ingress_rule" "desktop" {
  from_port = 3389
  # ruleid: terraform-open-ingress
  cidr_ipv4 = "0.0.0.0/0"
}
