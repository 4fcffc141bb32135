class AccountsController < ApplicationController
  def index
    # ruleid: ruby-sql-injection
    @accounts = Account.where("name = '#{params[:name]}'")
    sort = params[:sort]
    # ruleid: ruby-sql-injection
    @accounts = @accounts.order("#{sort} desc")
    # ok: ruby-sql-injection
    @accounts = Account.where("name = ?", params[:name])
    # ok: ruby-sql-injection
    @accounts = Account.where(name: params[:name])
    # ok: ruby-sql-injection
    @accounts = Account.where("#{Account.table_name}.active = ?", true)
    # ok: ruby-sql-injection
    @accounts = Account.where("level > #{params[:level].to_i}")
  end
end
