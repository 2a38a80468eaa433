# SPDX-License-Identifier: MIT
#
# work.pl DIR STEPS: perl with a forked child over pipes, signals, sorting and formats.
use strict;
use warnings;
use IO::Handle;
use Time::HiRes qw(sleep);

my ($dir, $steps) = @ARGV;
my $result = "PASS\n";
my $ticks = 0;
$SIG{USR1} = sub { $ticks++ };
eval {
    pipe(my $in, my $to) or die;
    pipe(my $from, my $out) or die;
    my $child = fork() // die;
    if (!$child) {
        close $to; close $from;
        $out->autoflush(1);
        while (my $line = <$in>) {
            kill USR1 => getppid();
            print $out join(",", reverse sort { $a <=> $b } split /,/, $line =~ s/\n//r), "\n";
        }
        exit 0;
    }
    close $in; close $out;
    $to->autoflush(1);
    for my $step (1 .. $steps) {
        my @numbers = map { ($_ * 7919 + $step) % 10007 } 1 .. 400;
        print $to join(",", @numbers), "\n";
        my $answer = <$from>;
        1 while !defined $answer;
        chomp $answer;
        my $expected = join ",", reverse sort { $a <=> $b } @numbers;
        die "step $step: wrong order\n" if $answer ne $expected;
        die "step $step: the child's signal did not come\n" if $ticks < $step;
        open my $f, '>>', "$dir/progress" or die;
        print $f "$step\n";
        close $f;
        sleep 0.02;
    }
    close $to;
    waitpid $child, 0;
    die "the child ended with $?\n" if $?;
};
$result = $@ if $@;
open my $f, '>', "$dir/result" or die;
print $f $result;
