module "network" {
  # ruleid: terraform-module-without-version
  source = "git::https://gitlab.internal/ops/network.git"
}

module "cluster" {
  # ruleid: terraform-module-without-version
  source = "terraform-aws-modules/eks/aws"
}

module "pinned" {
  # ok: terraform-module-without-version
  source = "git::https://gitlab.internal/ops/network.git?ref=v2.1.0"
}

module "versioned" {
  # ok: terraform-module-without-version
  source  = "terraform-aws-modules/eks/aws"
  version = "20.24.0"
}

module "local" {
  # ok: terraform-module-without-version
  source = "../modules/network"
}
