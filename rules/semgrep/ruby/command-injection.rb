class ImagesController < ApplicationController
  def show
    # ruleid: ruby-command-injection
    system("convert #{params[:path]} out.png")
    host = params[:host]
    # ruleid: ruby-command-injection
    @answer = `ping -c 1 #{host}`
    # ok: ruby-command-injection
    system("convert", params[:path], "out.png")
    # ok: ruby-command-injection
    system("convert #{Shellwords.escape(params[:path])} out.png")
    # ok: ruby-command-injection
    @up = `uptime`
  end
end
