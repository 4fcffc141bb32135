class HooksController < ApplicationController
  def receive
    # ruleid: ruby-secret-comparison
    return head(:forbidden) unless params[:token] == ENV["HOOK_TOKEN"]
    # ruleid: ruby-secret-comparison
    return head(:forbidden) if request.headers["X-Signature"] != signature(request.raw_post)
    # ok: ruby-secret-comparison
    return head(:ok) if params[:token] == nil
    # ok: ruby-secret-comparison
    return head(:ok) if params[:state] == "closed"
    # ok: ruby-secret-comparison
    ActiveSupport::SecurityUtils.secure_compare(params[:token], ENV["HOOK_TOKEN"])
  end
end
