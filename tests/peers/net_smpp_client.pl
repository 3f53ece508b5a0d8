# An ESME made of Net::SMPP: PORT, then `transceiver`, `pair` for a transmitter and a receiver, or `unbound` for a
# transceiver that waits for the other end to unbind.
use strict;
use warnings;
use Encode qw(decode encode);
use JSON::PP;
use Net::SMPP;

my ($port, $kind) = @ARGV;
my $long = '0123456789' x 20;
my @parts = (substr($long, 0, 120), substr($long, 120));
my $delivered = 0;
my $asked = 0;
my $json = JSON::PP->new->canonical->utf8;
$| = 1;

sub say_line { print $json->encode({@_}), "\n" }

sub received {
    my ($link, $pdu) = @_;
    $link->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
    my $octets = $pdu->{message_payload} // $pdu->{short_message};
    # It does not take the header off.
    my $header = $pdu->{esm_class} & 0x40 ? substr($octets, 0, 1 + ord $octets, '') : '';
    my $text = decode($pdu->{data_coding} == 8 ? 'UTF-16BE' : 'ISO-8859-1', $octets);
    (my $id = $pdu->{receipted_message_id} // '') =~ s/\0//;
    my $sar = defined $pdu->{sar_msg_ref_num} ? [unpack('n', $pdu->{sar_msg_ref_num}), map { unpack 'C', $pdu->{$_} } qw(sar_total_segments sar_segment_seqnum)] : undef;
    say_line(step => $pdu->{esm_class} & 4 ? 'receipt' : 'mo', text => $text, coding => $pdu->{data_coding}, id => $id,
        header => [unpack 'C*', $header], sar => $sar,
        state => defined $pdu->{message_state} ? unpack('C', $pdu->{message_state}) : undef);
    $delivered += 1;
}

sub received_data {
    my ($link, $pdu) = @_;
    $link->data_sm_resp(seq => $pdu->{seq}, message_id => '');
    say_line(step => 'mo_data', text => $pdu->{message_payload}, coding => $pdu->{data_coding});
    $delivered += 1;
}

sub connected {
    my ($kind, $password) = @_;
    my $link = Net::SMPP->new_connect('127.0.0.1', port => $port, system_id => 'kudu', password => $password) or die $!;
    ${*$link}{handlers} = {
        Net::SMPP::CMD_deliver_sm() => \&received,
        Net::SMPP::CMD_data_sm() => \&received_data,
        Net::SMPP::CMD_enquire_link() => sub { Net::SMPP::handle_enquire_link(@_); $asked = 1 },
    };
    my $method = "bind_$kind";
    my $pdu = $link->$method();
    my $version = $pdu->{sc_interface_version};
    say_line(step => $method, status => $pdu->status, version => defined $version ? unpack('C', $version) : undef);
    return $link;
}

# Reads until it is so.
sub until_so {
    my ($link, $so) = @_;
    until ($so->()) {
        my $pdu = $link->read_pdu() or die 'the link is gone';
        my $handler = ${*$link}{handlers}{$pdu->cmd};
        $handler->($link, $pdu) if $handler;
    }
}

sub deliveries {
    my ($link, $count) = @_;
    until_so($link, sub { $delivered >= $count });
}

close connected('transceiver', 'wrong');
my $tx = connected($kind eq 'pair' ? 'transmitter' : 'transceiver', 'secret');
if ($kind eq 'unbound') {
    my $done = 0;
    ${*$tx}{handlers}{Net::SMPP::CMD_unbind()} = sub {
        my ($link, $pdu) = @_;
        $link->unbind_resp(seq => $pdu->{seq});
        $done = 1;
    };
    until_so($tx, sub { $done });
    exit;
}
my $rx = $kind eq 'pair' ? connected('receiver', 'secret') : $tx;

sub step {
    my ($name, $method, %fields) = @_;
    my $pdu = $tx->$method(%fields) or die "no answer to $method";
    my %more = (id => $pdu->{message_id}, state => $pdu->{message_state});
    $more{failed} = [[$pdu->{destination_addr}[0], $pdu->{error_status_code}[0]]] if $pdu->{no_unsuccess};
    say_line(step => $name, status => $pdu->status, %more);
}

sub submit {
    my ($name, $octets, %fields) = @_;
    step($name, 'submit_sm', source_addr => '31234', dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => '1001',
        short_message => $octets, %fields);
}

submit('gsm', "Hello \x00 \x05 \x1b\x28\x1b\x65\x1b\x29", registered_delivery => 1);
deliveries($rx, 2);
submit('latin1', "caf\xe9 \xeb", data_coding => 3);
submit('ucs2', encode('UTF-16BE', "h\x{e9} \x{1f600}"), data_coding => 8);
deliveries($rx, 4);
submit('udh', pack('C6', 5, 0, 3, 42, 2, $_ + 1) . $parts[$_], esm_class => 0x40) for 0, 1;
submit('sar', $parts[$_], sar_msg_ref_num => pack('n', 7), sar_total_segments => pack('C', 2), sar_segment_seqnum => pack('C', $_ + 1)) for 0, 1;
submit('payload', '', message_payload => $long);
deliveries($rx, 9);
submit('throttled', 'x', destination_addr => '1002');
step('data', 'data_sm', source_addr => '31234', destination_addr => '1001', message_payload => $long);
deliveries($rx, 10);
step('multi', 'submit_multi', source_addr => '31234', destination_addr => ['27831234567', 'bad'], short_message => 'all');
step('query', 'query_sm', message_id => 'id-1', source_addr => '31234');
step('query_unknown', 'query_sm', message_id => 'nope', source_addr => '31234');
step('cancel', 'cancel_sm', message_id => 'id-1', source_addr => '31234', destination_addr => '27831234567');
step('replace', 'replace_sm', message_id => 'id-1', source_addr => '31234', short_message => 'other');
step('enquire_link', 'enquire_link');
$asked = 0;
until_so($tx, sub { $asked });
say_line(step => 'asked');
$tx->syswrite(pack('N4', 16, 0x0201, 0, 999));
my $nack = $tx->wait_pdu(Net::SMPP::CMD_generic_nack(), 999) or die 'no answer to what nobody knows';
say_line(step => 'unknown', status => $nack->status, number => $nack->seq);
for my $link ($tx, $rx != $tx ? $rx : ()) {
    say_line(step => 'unbind', status => $link->unbind()->status);
    close $link;
}
