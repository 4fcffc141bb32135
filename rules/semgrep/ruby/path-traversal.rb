class DownloadsController < ApplicationController
  def show
    # ruleid: ruby-path-traversal
    send_file("/srv/reports/" + params[:name])
    path = Rails.root.join("public", params[:theme])
    # ruleid: ruby-path-traversal
    @css = File.read(path)
    # ok: ruby-path-traversal
    send_file("/srv/reports/" + File.basename(params[:name]))
    # ok: ruby-path-traversal
    send_file(Report.find(params[:id]).file_path)
    # ok: ruby-path-traversal
    File.write("/srv/log/names", params[:name])
  end
end
