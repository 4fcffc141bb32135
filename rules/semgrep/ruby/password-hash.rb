class Account
  def store(password, salt, file)
    # ruleid: ruby-password-hash
    @digest = Digest::MD5.hexdigest(password)
    # ruleid: ruby-password-hash
    @salted = Digest::SHA256.hexdigest(salt + password)
    # ok: ruby-password-hash
    @hash = BCrypt::Password.create(password)
    # ok: ruby-password-hash
    @etag = Digest::MD5.hexdigest(file)
  end
end
