class HooksController < ApplicationController
  def test
    # ruleid: ruby-ssrf
    @answer = Net::HTTP.get(URI(params[:url]))
    target = params[:target]
    # ruleid: ruby-ssrf
    @page = HTTParty.get(target)
    # ok: ruby-ssrf
    @found = Faraday.get("/search", q: params[:q])
    # ok: ruby-ssrf
    @hook = HTTParty.post(Hook.find(params[:id]).url)
  end
end
