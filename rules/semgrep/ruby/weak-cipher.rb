require "openssl"

def seal(name)
  # ruleid: ruby-weak-cipher
  OpenSSL::Cipher.new("AES-128-ECB")
  # ruleid: ruby-weak-cipher
  OpenSSL::Cipher.new('des-ede3-cbc')
  # ok: ruby-weak-cipher
  OpenSSL::Cipher.new("aes-256-gcm")
  # ok: ruby-weak-cipher
  OpenSSL::Cipher.new(name)
end
