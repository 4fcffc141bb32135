class ImportsController < ApplicationController
  def create
    # ruleid: ruby-yaml-load-input
    settings = YAML.load(params[:settings])
    body = request.body.read
    # ruleid: ruby-yaml-load-input
    rows = YAML.unsafe_load(body)
    # ok: ruby-yaml-load-input
    safe = YAML.safe_load(params[:settings])
    # ok: ruby-yaml-load-input
    config = YAML.load(File.read("config/settings.yml"))
  end
end
