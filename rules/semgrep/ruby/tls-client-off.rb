def connect(url, insecure)
  # ruleid: ruby-tls-client-off
  Faraday.new(url: url, ssl: { verify: false })
  # ruleid: ruby-tls-client-off
  HTTParty.get(url, verify: false)
  # ok: ruby-tls-client-off
  Faraday.new(url: url, ssl: { verify: true })
  # ok: ruby-tls-client-off
  HTTParty.get(url, verify: !insecure)
  # ok: ruby-tls-client-off
  record.save(validate: false)
end
