class ReportsController < ApplicationController
  def show
    # ruleid: ruby-dynamic-call-input
    @rows = report.send(params[:column])
    # ruleid: ruby-dynamic-call-input
    @model = params[:type].classify.constantize
    # ok: ruby-dynamic-call-input
    @rows = report.send(:rows, params[:column])
    # ok: ruby-dynamic-call-input
    @model = TYPES.fetch(params[:type]).constantize
  end
end
