resource "aws_cloudtrail" "audit" {
  # ruleid: terraform-trail-weakened
  enable_logging = false
  # ruleid: terraform-trail-weakened
  enable_log_file_validation = false
  # ok: terraform-trail-weakened
  is_multi_region_trail = true
  # ok: terraform-trail-weakened
  include_global_service_events = true
}
